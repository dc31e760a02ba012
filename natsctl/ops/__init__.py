"""What the commands do, with nothing printed: connect, publish, receive, request, reply, measure, keep contexts."""
