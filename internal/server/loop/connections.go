package loop

// connections is the connections of a bus.
type connections struct {
	conns      []*conn // by descriptor; a connection with rings has several
	generation int32   // of the last connection accepted
	burying    int     // connections that have ended and are being closed, see bury.go
}

// own notes whose events those of a descriptor are.
func (n *connections) own(fd int, c *conn) {
	for fd >= len(n.conns) {
		n.conns = append(n.conns, nil)
	}
	n.conns[fd] = c
}
