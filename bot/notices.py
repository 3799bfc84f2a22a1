"""What the program says where something is in the way; `{name}` is the child's. It knows words only."""

from __future__ import annotations

BUSY = "One moment, please: {name} is still thinking about what you said before. Please say that again."
MOMENT = "{name} needs a moment: many are talking."
LATE = "{name} could not keep up: too many were talking at once. Please say it again in a minute."
AWAY = "{name} cannot answer right now. Please say it again in a minute."
UNWELL = "Something went wrong here, and your message was not lost: {name} will answer when it is mended."
REFUSED = (
    "{name} has an answer for you, but may not say it where you asked. Please tell whoever runs this bot, and say it "
    "again once that is mended."
)
UNSENT = "Your message could not be kept just now. Please tell whoever runs this bot."
NEEDS_CAPABLE = (
    "A talk with a grown-up needs a capable model, and the one chosen here can play a child alone. Choose another, "
    "or leave with /student scenario off."
)
