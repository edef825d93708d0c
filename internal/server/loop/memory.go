package loop

// memory is what the requests of connections, and the data of their messages, lie in.
type memory struct {
	input      input
	incoming   incoming
	maxPayload uint32
	beginning  beginning // of the long message that is being handled
	ringBytes  int64     // of each ring of a connection; 0: no rings
	bodies     *bodies
}
