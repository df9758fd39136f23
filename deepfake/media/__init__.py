"""A picture or a video -> Frames, and Frames -> a video.

`formats`: what a file is; its first bytes say, not its name.
`containers`: whether a file carries Content Credentials.
`picture`: one picture -> its frame, upright.
`video`: one video -> the frames that are sampled, by time.
`reader`: `open_media`, either of them.
`isolated`: `open_isolated`, either of them, decoded in a process that can die.
`encode`: frames -> a clip.
"""

from deepfake.media.formats import MAX_PIXELS, PICTURE_SUFFIXES, VIDEO_SUFFIXES, Kind, kind_of
from deepfake.media.picture import PictureReader, read_picture
from deepfake.media.reader import MediaReader, Opener, open_media
from deepfake.media.video import VideoReader

__all__ = [
    "MAX_PIXELS",
    "PICTURE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "Kind",
    "MediaReader",
    "Opener",
    "PictureReader",
    "VideoReader",
    "kind_of",
    "open_media",
    "read_picture",
]
