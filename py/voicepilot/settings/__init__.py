"""What a person can set, where each value comes from, and what it makes of a call's configuration.

Pure: text, TOML values and mappings in, one validated `Settings` out; the standard library only. `table`
is the one source of names, kinds, defaults and ranges: files, environment, command line, drawer and docs
are all made from it.
"""

from .refusal import SettingError, SettingsError
from .settings import Settings
from .table import TABLE, Setting, Value, setting

__all__ = ["TABLE", "Setting", "SettingError", "Settings", "SettingsError", "Value", "setting"]
