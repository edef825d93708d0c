package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Where JetStream is, when the server that we are connected to has none.

// UserInfo is a subject that every server answers for the account that asks, also beyond leaf nodes, and its answer
// has the domain of its JetStream.
const UserInfo = "$SYS.REQ.USER.INFO"

// discover finds the domain of the JetStream that others have, when our own server has none. It must have a name, and
// there must be one only: which of two a federation has its directory in is not to be guessed.
func (n NATS) discover(ctx context.Context) (domain string, err error) {
	inbox := n.NewRespInbox()
	answers := make(chan *nats.Msg, 64)
	sub, err := n.ChanSubscribe(inbox, answers)
	if err != nil {
		return "", err
	}
	defer sub.Unsubscribe()
	if err := n.PublishRequest(UserInfo, inbox, nil); err != nil {
		return "", err
	}
	var domains, nameless []string
	for late := time.After(Patience / 4); ; {
		var answer struct {
			Server struct {
				Name, Domain string
				JetStream    bool
			}
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-late:
			return one(domains, nameless)
		case m := <-answers:
			if json.Unmarshal(m.Data, &answer) != nil || !answer.Server.JetStream {
				continue
			}
		}
		switch s := answer.Server; {
		case s.Domain == "":
			nameless = append(nameless, s.Name)
		case !slices.Contains(domains, s.Domain):
			domains = append(domains, s.Domain)
		}
	}
}

func one(domains, nameless []string) (string, error) {
	switch {
	case len(domains) == 1:
		return domains[0], nil
	case len(domains) > 1:
		return "", fmt.Errorf("this NATS server has no JetStream, and beyond it there is more than one: say --domain with one of %s",
			strings.Join(domains, ", "))
	case len(nameless) > 0:
		return "", fmt.Errorf("this NATS server has no JetStream; that of %s, of which it is a leaf node, is out of reach, "+
			"because it has no name: give it one there (jetstream { domain: hub })", strings.Join(nameless, ", "))
	}
	return "", errors.New("this NATS server has no JetStream, and knows none: if it is a leaf node, is its hub there, " +
		"and what does that call its JetStream (--domain)?")
}
