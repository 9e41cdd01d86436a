"""Modal: cloud GPUs as a backend, and its volumes as places for files. The hooks stand in ``tsws_modal.plugin``."""
