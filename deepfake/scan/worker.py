"""What looks at one file after the other with networks of its own: file -> answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deepfake.errors import MediaError
from deepfake.faces.mtcnn import FaceSettings
from deepfake.model.bundle import DEFAULT_MODEL, load_bundle
from deepfake.pipeline import Detector
from deepfake.records import Sampling
from deepfake.scan.row import Answer, Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings:
    """How each file is looked at; a store holds answers to one of these."""

    model: Path = DEFAULT_MODEL
    """Folder of the bundle that answers."""
    trust: bool = False
    """Whether to use a bundle whose files differ from their checksums."""
    sampling: Sampling = field(default_factory=Sampling)
    """Which frames of a video to look at."""
    min_face_share: float = 0.06
    """Smallest face searched for, as a share of the picture's short side."""
    threads: int = 1
    """Threads of each worker's networks."""
    memory_bytes: int = 8 * 2**30
    """Most address space of a worker. Enforced on Linux."""

    @property
    def identity(self) -> dict[str, Any]:
        """What the answers depend on, as plain values.

        Raises:
            BundleError: If the bundle cannot be used.
        """
        model = load_bundle(self.model, trust=self.trust).model
        return {"model": asdict(model), "sampling": asdict(self.sampling), "min_face_share": self.min_face_share}


class Worker:
    """Judges files one after the other.

    Args:
        settings: How.

    Raises:
        BundleError: If the bundle cannot be used.
    """

    def __init__(self, settings: ScanSettings) -> None:
        self.settings = settings
        face_settings = FaceSettings(min_face_share=settings.min_face_share)
        self._detector = Detector(
            settings.model, trust=settings.trust, face_settings=face_settings, threads=settings.threads
        )

    def judge(self, path: Path | str) -> Answer:
        """The answer about one file; a file that cannot be read has one, too."""
        try:
            return Answer.of(self._detector.detect(path, self.settings.sampling))
        except (MediaError, OSError) as error:
            return Answer.unreadable(error, path)
        except MemoryError:
            return Answer(
                failure=Failure.MEMORY,
                error=f"The file needs more than the {self.settings.memory_bytes / 2**30:.0f} GB of a worker. "
                "Shrink it, or raise --memory.",
            )
