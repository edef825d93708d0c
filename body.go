package kbus

// bodyLink is a link that can take a frame in two parts. Then the data of a large message, which is most of the frame,
// is not copied into toSend first.
type bodyLink interface {
	// sendBody is send for head and body, one behind the other. n counts over both.
	sendBody(head, body []byte) (n int, err error)
}

// largeBody is from which length on that is worth a send of its own.
const largeBody = 8 << 10

// appendBody puts the end of a frame behind what is in toSend, or lets the link have all of it at once.
func (c *conn) appendBody(body []byte) {
	link, ok := c.link.(bodyLink)
	if len(body) < largeBody || !ok || c.deaf {
		c.toSend = append(c.toSend, body...)
		return
	}
	n, err := link.sendBody(c.toSend, body)
	switch {
	case err != nil:
		c.deaf, c.toSend = true, c.toSend[:0]
	case n < len(c.toSend):
		c.toSend = append(c.toSend[:copy(c.toSend, c.toSend[n:])], body...)
	default:
		c.toSend = append(c.toSend[:0], body[n-len(c.toSend):]...)
	}
}
