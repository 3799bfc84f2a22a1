"""Small pictures of boxes, lines and words, as SVG for pages and as PNG for chats. What they show it does not know."""
