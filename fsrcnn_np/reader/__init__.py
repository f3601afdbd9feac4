"""The reader study in a browser: two images of a case, criteria, ratings that are never lost (extra `reader`).

PROTOCOL.md    what page and server say to each other
page/          HTML, CSS and modules that the browser gets
cases.py       what is compared: a study's results, or two folders
criteria.py    what is asked: a TOML, by default the paper's 14 criteria
display.py     a file's pixels → what the page has to know to show them
pyramid.py     pixels → tiles
tiles.py       tiles on disk, made in the background
log.py         the readers' clicks, append-only
people.py      readers and their tokens
server.py      URLs
"""
