"""The plain data that travels: jobs, handles, events."""

from tsws.job.events import (
    Checkpoint,
    Done,
    Emit,
    Event,
    Failed,
    Log,
    Metric,
    Progress,
    Sample,
    Started,
    Text,
    decode_event,
    encode_event,
    ignore,
)
from tsws.job.job import Handle, Job, JobStatus, Telling, VolumeRef, decode_job, encode_job

__all__ = [
    "Checkpoint",
    "Done",
    "Emit",
    "Event",
    "Failed",
    "Handle",
    "Job",
    "JobStatus",
    "Log",
    "Metric",
    "Progress",
    "Sample",
    "Started",
    "Telling",
    "Text",
    "VolumeRef",
    "decode_event",
    "decode_job",
    "encode_event",
    "encode_job",
    "ignore",
]
