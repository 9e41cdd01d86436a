"""The program that backends start: ``python -m tsws.worker JOB.json [--root FOLDER] [--events FILE]``."""
