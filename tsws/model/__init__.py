"""Language models: their config, the Llama itself, its file formats, and generation with torch.

``tsws.model.config`` and ``tsws.model.llama2c.read_header`` work without torch; import the modules themselves.
"""
