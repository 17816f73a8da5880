"""What the station is built of: the answers of a PICS file (`fuzz.pics`)."""

from fuzz.pics.answers import Pics
from fuzz.pics.loading import known_pics, load_pics

__all__ = ["Pics", "known_pics", "load_pics"]
