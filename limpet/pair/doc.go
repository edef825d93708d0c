// Package pair makes pairs of Limpets: it finds the other end over TCP or a Unix socket, finds out which Limpet that is, joins the
// two buses for as long as the link holds, and does it all again when it is lost.
//
// A stream begins with TLS or with the letters of the greeting; the first byte shows which. Inside TLS everything is
// the same. Between two ends of ours it is TLS 1.3 with a certificate on both sides, in which the network id stands;
// plain streams are for original Limpets, and for Unix sockets, whose permissions decide which users may connect.
package pair
