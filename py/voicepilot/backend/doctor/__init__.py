"""What is wrong with this set-up, and who can mend it? `voicepilot doctor`.

`examination` has the checks in their order and what each needs, `report` what a person or a program
reads. The checks themselves: `machine` (this computer and the way to the service), `account` (who we are
and whether calls are opened), `media` (whether sound gets through), `conversation` (the fallback over
WebSocket, an answer, a transcript) and `browser` (microphone and loudspeaker).
"""
