"""VoicePilot: speak with your own Azure OpenAI Realtime deployment."""

__version__ = "0.1.0"
