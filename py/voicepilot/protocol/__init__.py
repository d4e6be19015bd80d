"""The Realtime protocol: typed events in and out, two dialects, session configuration, problems.

Pure: JSON in, events out. Everything speaks GA names; `dialects` translates the preview protocol. Events
are read leniently (`decode` never raises) and written strictly (`encode` refuses what the service would).
"""

from .codec import decode, encode
from .dialects import Dialect
from .problems import Mender, Problem, problem

__all__ = ["Dialect", "Mender", "Problem", "decode", "encode", "problem"]
