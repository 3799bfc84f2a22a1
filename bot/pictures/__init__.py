"""Small pictures of boxes, lines and words, as SVG for pages and as PNG for chats. It knows nothing of what they show."""
