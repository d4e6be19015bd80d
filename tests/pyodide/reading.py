"""Reads recorded lines with the core and prints what it made of them; runs in any Python.

It is given ``{"lines": [recorded lines]}``.
"""

import json
import os

from voicepilot.protocol import decode
from voicepilot.session.replay import read_log

lines = json.loads(os.environ["GIVEN"])["lines"]
report = read_log(line.encode() for line in lines)
print(
    json.dumps(
        {
            "events": [repr(decode(line)) for line in lines],
            "report": report.to_json(),
            "broken": report.broken,
        }
    )
)
