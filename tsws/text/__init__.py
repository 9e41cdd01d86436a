"""Stories, tokenizers and shards: from text to the tokens that a model trains on.

Read ``corpus.py`` (stories in files), ``tokenizer.py`` (sentencepiece), ``encode.py`` (many stories to tokens), ``tokenize.py``
(shards, and what a kill leaves of them), ``shards.py`` (shards of any origin) in this order. ``toy_stories.py`` writes
stories where there are none, and ``llama2c_tokenizer.py`` plays llama2.c's own tokenizer files. Nothing is handed on from here: some
of these load numpy.
"""
