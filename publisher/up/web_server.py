WEB_SERVER = ("uvicorn", "publisher.web.app:app", "--http", "publisher.syndication.protocol:FeedProtocol")
"""Module and arguments of the web server; feeds that are at hand are answered by a protocol of our own."""
