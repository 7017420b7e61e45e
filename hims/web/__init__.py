"""The web server: granian, whose workers give Django a request only when the whole body has arrived.

granian reads a body where the application asks for it, so that one client who sends a byte a second holds a web thread for as
long as it likes; its maintainer leaves body timeouts to the application. Here a body is read by an event loop, against a
deadline and a size limit, and then goes to the web thread. `gateway` decides where a request goes, `bodies` reads, `translation`
speaks WSGI with Django, `server` starts the workers and replaces those that die, `__main__` is the command.
"""
