"""Models in this process: the same texts as the program's, the same numbers as PyTorch's, safe on any thread."""

from __future__ import annotations

import gc
import json
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tsws.engine.library import Model
from tsws.errors import FormatError, TswsError, UsageError

FILES = {
    "baby": ("tok105/model5000.bin", "tok105/tok105.bin"),
    "260K": ("stories260K/stories260K.bin", "stories260K/tok512.bin"),
}
ONCE = "Once upon a time"


@pytest.fixture(params=FILES)
def paths(request, real_data):
    return tuple(real_data / name for name in FILES[request.param])


@pytest.fixture
def model(paths):
    with Model.open(*paths, threads=1) as model:
        yield model


@pytest.fixture(scope="module")
def stories(real_data):
    whole = (real_data / "tinystories-valid.txt").read_text(encoding="utf-8")
    return [story.strip() for story in whole.split("<|endoftext|>") if story.strip()]


@pytest.fixture
def text(model, stories):
    """Tokens of real stories, one after another, 256 of them."""
    return [token for story in stories[:8] for token in model.encode(story)][:256]


def test_a_model_tells_what_it_is(real_data):
    with Model.open(real_data / FILES["260K"][0], threads=1, kernels="portable") as model:
        info = model.info
    sizes = (info.dim, info.hidden_dim, info.n_layers, info.n_heads, info.n_kv_heads, info.vocab_size, info.max_seq_len)
    assert sizes == (64, 172, 5, 8, 4, 512, 512)
    assert (info.version, info.shared_classifier, info.group_size, info.parameters) == (0, True, 0, 260032)
    assert (info.precision, info.kernels) == ("float32", "portable")
    assert info.weight_bytes >= 4 * info.parameters


def test_golden_texts(real_data):
    for line in map(json.loads, (real_data / "golden.jsonl").read_text(encoding="utf-8").splitlines()):
        given = dict(zip(line["args"][::2], line["args"][1::2], strict=True))
        with Model.open(real_data / line["model"], real_data / line["tokenizer"], threads=1) as model:
            text = "".join(
                model.generate(
                    given.get("-i", ""),
                    temperature=float(given.get("-t", 1.0)),
                    top_p=float(given.get("-p", 0.9)),
                    steps=int(given.get("-n", 256)),
                    seed=int(given["-s"]) if "-s" in given else 1,  # without a seed the text does not depend on it
                )
            )
        assert text + "\n" == line["text"]


def test_logits_are_those_of_pytorch_at_every_position(model, paths, text):
    import torch

    from tsws.model.llama import Llama
    from tsws.model.llama2c import read_model

    config, weights = read_model(paths[0])
    reference = Llama(config)
    reference.load_state_dict(weights)
    with torch.no_grad():
        logits, _ = reference.eval()(torch.tensor([text]))
    assert model.logits(text).shape == (256, config.vocab_size)
    assert np.abs(model.logits(text) - logits[0].numpy()).max() < 1e-4


def test_exact_arithmetic_is_the_same_within_rounding(model, paths, text):
    with Model.open(*paths, exact=True, threads=1) as exact:
        assert exact.info.kernels == "portable"
        assert np.abs(model.logits(text) - exact.logits(text)).max() < 1e-4


def test_threads_do_not_change_a_bit(model, paths, text):
    with Model.open(*paths, threads=2) as other:
        assert (model.logits(text) == other.logits(text)).all()


def loss(model, stories):
    scores = [model.score(story) for story in stories]
    return -sum(score.sum() for score in scores) / sum(len(score) for score in scores)


def test_int8_costs_little_perplexity(model, paths, stories):
    with Model.open(*paths, precision="int8", threads=1) as small:
        assert small.info.precision == "int8"
        assert abs(math.exp(loss(small, stories[:25]) - loss(model, stories[:25])) - 1) < 0.005


@pytest.mark.marathon
def test_int8_costs_little_perplexity_on_the_whole_text(model, paths, stories):
    with Model.open(*paths, precision="int8", threads=1) as small:
        assert abs(math.exp(loss(small, stories) - loss(model, stories)) - 1) < 0.005


def test_scores_are_the_log_softmax_of_the_logits(model, text):
    rows = model.logits(text).astype(np.float64)
    expected = (rows - np.log(np.exp(rows).sum(axis=1, keepdims=True)))[np.arange(255), text[1:]]
    np.testing.assert_allclose(model.score(text), expected, atol=1e-5)
    assert model.score([1]).shape == (0,)


def test_a_text_longer_than_the_context_is_scored_in_overlapping_windows(model, stories):
    context = model.info.max_seq_len
    tokens = np.array([token for story in stories[:40] for token in model.encode(story)][: 2 * context + 7])
    scores = model.score(tokens)
    assert scores.shape == (len(tokens) - 1,)
    np.testing.assert_array_equal(scores[:context], model.score(tokens[: context + 1]))
    for first in range(context, len(scores), context // 2 + 1):
        start = first + 1 - context // 2
        window = model.score(tokens[start : start + context + 1])
        end = min(first + context // 2 + 1, len(scores))
        np.testing.assert_allclose(scores[first:end], window[first - start : end - start], atol=1e-5)


def test_many_stories_are_those_that_are_told_alone(model):
    prompts = [ONCE, "", "The cat", "Once\nupon", ONCE, ONCE, "One day, " * 200]
    told = model.generate_many(prompts, seed=11, steps=90, at_once=3)
    assert [story.text for story in told] == [
        "".join(model.generate(prompt, seed=11 + i, steps=90)) for i, prompt in enumerate(prompts)
    ]
    assert [(story.prompt, story.seed) for story in told] == [(prompt, 11 + i) for i, prompt in enumerate(prompts)]
    for story, prompt in zip(told, prompts, strict=True):
        given = model.encode(prompt)[:91]
        assert list(story.tokens[: story.prompt_tokens]) == given
        assert model.decode(story.tokens) == story.text
    assert told[-1].stop == "steps"
    assert model.generate_many([], seed=1) == []


def test_a_story_says_why_it_stopped(real_data):
    with Model.open(*(real_data / name for name in FILES["260K"]), threads=1) as model:
        stops = {story.stop: story for story in model.generate_many([""] * 6, seed=1, steps=0)}
        assert set(stops) <= {"story", "context"}
        assert len(stops["story"].tokens) <= 512
        assert model.generate_many([ONCE], seed=1, steps=20)[0].stop == "steps"


def test_the_same_seed_tells_the_same_and_none_another(model):
    def tell(seed):
        return "".join(model.generate(seed=seed, temperature=1.5, top_p=1.0, steps=60))

    assert tell(5) == tell(5) == tell(5 + 2**64)
    assert tell(0) == tell(0)
    assert tell(None) != tell(None)


def test_pretty_shows_unk_as_a_newline(real_data):
    with Model.open(*(real_data / name for name in FILES["baby"]), threads=1) as model:
        tokens = model.encode("a\nb")
        assert model.decode(tokens) == "a<unk>b"
        assert model.decode(tokens, pretty=True) == "a\nb"
        assert "".join(model.generate("a\nb", pretty=True, steps=4, seed=1)).startswith("a\nb")


def test_a_character_of_several_tokens_comes_whole(real_data):
    with Model.open(*(real_data / name for name in FILES["260K"]), threads=1) as model:
        pieces = list(model.generate("naïve — 😀!", steps=30, temperature=0.0))
        assert "".join(pieces).startswith("na")
        assert "�" not in "".join(pieces).split("!")[0]


def test_calls_from_many_threads_do_not_disturb_each_other(model, text):
    alone = model.logits(text[:60])
    story = "".join(model.generate(ONCE, seed=3, steps=50))
    start = threading.Barrier(8)

    def work(number):
        start.wait()
        if number % 2:
            return (model.logits(text[:60]) == alone).all()
        return "".join(model.generate(ONCE, seed=3, steps=50)) == story

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [True] * 8


def test_a_model_that_is_closed_while_it_tells_tells_to_the_end(model):
    whole = "".join(model.generate(ONCE, seed=3, steps=50))
    pieces = model.generate(ONCE, seed=3, steps=50)
    first = next(pieces)
    model.close()
    with pytest.raises(UsageError) as caught:
        model.encode(ONCE)
    assert caught.value.message == "the model is closed"
    assert first + "".join(pieces) == whole
    model.close()


def test_a_story_that_is_left_gives_all_back(paths):
    model = Model.open(*paths, threads=1)
    pieces = model.generate(ONCE)
    next(pieces)
    pieces.close()
    model.close()
    assert not model._handle
    Model.open(*paths, threads=1)
    gc.collect()  # nothing is left open, and nothing complains


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda model: model.logits([1, 9999]), UsageError, "9999"),
        (lambda model: model.logits([1, -1]), UsageError, "-1"),
        (lambda model: model.logits([]), UsageError, "tokens have to be a row of whole numbers"),
        (lambda model: model.logits([1.5]), UsageError, "tokens have to be a row of whole numbers"),
        (lambda model: model.logits([2**40]), UsageError, "tokens have to be a row of whole numbers"),
        (lambda model: model.logits([1] * 513), TswsError, "the context of"),
        (lambda model: list(model.generate(temperature=-1.0)), UsageError, "temperature"),
        (lambda model: list(model.generate(top_p=2.0)), UsageError, "top_p"),
        (lambda model: list(model.generate(steps=-1)), UsageError, "a story can not have -1 tokens"),
        (lambda model: model.generate_many([""], at_once=0), UsageError, "0 streams can tell no story"),
    ],
)
def test_what_is_out_of_range_is_refused(model, call, error, message):
    with pytest.raises(error) as caught:
        call(model)
    assert message in caught.value.message
    assert caught.value.hint


def test_files_are_refused_in_the_librarys_words(real_data, tmp_path):
    baby, small = FILES["baby"], FILES["260K"]
    with pytest.raises(TswsError) as caught:
        Model.open(tmp_path / "gone.bin")
    assert caught.value.message == f"{tmp_path / 'gone.bin'}: can not be opened: No such file or directory"
    assert caught.value.hint == "name a file that is there and can be read"
    with pytest.raises(FormatError) as caught:
        Model.open(real_data / small[0], real_data / baby[1])
    assert "this tokenizer has 105 pieces" in caught.value.message
    assert caught.value.hint == "name the tokenizer that the model was trained with"
    (tmp_path / "empty.bin").touch()
    with pytest.raises(FormatError) as caught:
        Model.open(tmp_path / "empty.bin")
    assert caught.value.message == f"{tmp_path / 'empty.bin'}: the file is empty"
    with pytest.raises(UsageError) as caught:
        Model.open(real_data / baby[0], precision="int4")
    assert caught.value.message == "unknown precision 'int4'"
    assert caught.value.hint == "choose one of stored, float32, int8"


def test_without_a_tokenizer_tokens_can_be_scored_but_no_text(real_data):
    with Model.open(real_data / FILES["baby"][0], threads=1) as model:
        assert model.score([1, 3, 34]).shape == (2,)
        with pytest.raises(UsageError) as caught:
            model.score(ONCE)
    assert caught.value.message == "this model was opened without a tokenizer"
    assert caught.value.hint == "give Model.open the tokenizer's .bin as well"
