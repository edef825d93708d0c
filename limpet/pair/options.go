package pair

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// Everything that a command line can set for one end is checked once, before a socket is opened.

// Options are how to be one end of a pair.
type Options struct {
	Listen      bool         // for the other end, instead of connecting to it
	Address     string       // HOST:PORT, or the path of a Unix socket
	ID          uint32       // network id of our bus, from 1
	Name        string       // what is passed on: a name that may end in a wildcard
	StopOn      string       // ends the Limpet when somebody sends a message of that name; may be empty
	Credentials *Credentials // for TLS; nil for none
	Legacy      bool         // plain streams: to connect by, or to accept
	Once        bool         // end with the first link, whatever ends it
	Limits
	Open func(context.Context) (*kbus.Ksock, error) // opens a Ksock on the bus to be joined
	Log  *slog.Logger
}

// Limits are how much, how many and how long.
type Limits struct {
	MaxMessages uint32        // room in our queue on the bus
	MaxUnread   int           // bytes that the other end may leave unread; 0: DefaultMaxUnread
	MaxNames    int           // names that it may have us stand for; 0: DefaultMaxNames
	Longest     time.Duration // pause between two attempts to connect
}

// Defaults of what may be left out.
const (
	DefaultName        = "$.*"
	DefaultMaxMessages = 10000
	DefaultMaxUnread   = 64 << 20
	DefaultMaxNames    = 4096
	DefaultLongest     = 10 * time.Second
)

// Check returns what cannot be.
func (o *Options) Check() error {
	switch {
	case o.ID == 0:
		return errors.New("a network id is needed, from 1; no two buses may have the same")
	case o.Credentials == nil && !o.Legacy:
		return errors.New("certificates are needed (see kbus-limpet help certs), or --legacy for a plain stream")
	case message.CheckBinding(o.Name) != message.OK:
		return errors.New(o.Name + " is not a name that can be bound to")
	case o.StopOn != "" && message.CheckName(o.StopOn) != message.OK:
		return errors.New(o.StopOn + " is not a name that a message can have")
	}
	_, err := networkOf(o.Address)
	return err
}
