package store

import (
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
)

// NATS is a connection, and where there JetStream is: in the domain of that name, or, without a name, where the server
// has it itself, or, if it has none, where it is discovered. A leaf node lets nothing through that is meant for JetStream
// elsewhere, unless its domain is named.
type NATS struct {
	*nats.Conn
	Domain string
}

// api is the subject of a request to JetStream.
func (n NATS) api(request string) string {
	if n.Domain == "" {
		return "$JS.API." + request
	}
	return "$JS." + n.Domain + ".API." + request
}

// bucket is what comes before the keys of a bucket where they are written to.
func (n NATS) bucket(prefix string) string {
	if n.Domain == "" {
		return prefix
	}
	return n.api(prefix)
}

// explain adds what it may mean that no server answers.
func (n NATS) explain(err error) error {
	if n.Domain == "" || !errors.Is(err, nats.ErrNoResponders) {
		return err
	}
	return fmt.Errorf("there is no JetStream in the domain %s: is that the name that its servers have (jetstream { domain: %s })?: %w",
		n.Domain, n.Domain, err)
}
