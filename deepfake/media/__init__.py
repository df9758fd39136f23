"""A picture or a video -> Frames, and Frames -> a video.

`formats`: what a file is; its first bytes say, not its name.
`containers`: whether a file carries Content Credentials; `chunks` walks over those of PNG and RIFF.
`metadata`: what a file states of its origin; `png_texts` and `thumbnail` know where some of it lies.
`picture`: one picture -> its pages, upright; `pixels`, `heif` and `tiff` know what Pillow, HEIF and TIFF are like.
`animation`: what moves in a format of pictures -> the frames that are sampled.
`video`: one video -> the frames that are sampled, by time; `video_stream` opens and decodes it, `display` shows each as
a player does, `tone` those in HDR.
`sampled`: which times are sampled, and each picture once.
`reader`: `open_media`, any of them; `file_reader` is what the three share.
`isolated`: `open_isolated`, any of them, decoded in a process that can die.
`encode`: frames -> a clip.
"""

from deepfake.media.formats import MAX_PIXELS, PICTURE_SUFFIXES, VIDEO_SUFFIXES, Kind, is_media, kind_of
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
    "is_media",
    "kind_of",
    "open_media",
    "read_picture",
]
