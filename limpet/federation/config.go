package federation

import (
	"context"
	"errors"
	"log/slog"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/scope"
	"kbus.example/kbus/limpet/federation/subject"
)

// What a member must know is checked before anything is begun, so that a wrong command line fails at once.

// Config is what a Member must know.
type Config struct {
	ID         uint32      // network id of the member, not 0; no two members have the same
	Federation string      // name of the federation
	Names      scope.Scope // bindings that are shared with the other members
	Available  bool        // Repliers are kept while nobody can vouch for them, and the older claim wins later
	Replicas   int         // of the directory, if this member is the one that makes it
	Domain     string      // of JetStream, if not that of the server itself
	Where      string      // which bus of which machine this is, to know it again
	Log        *slog.Logger
	Open       func(context.Context) (*kbus.Ksock, error) // opens the Ksock of a session
}

// Check returns what is wrong with a Config.
func (c *Config) Check() error {
	if c.ID == 0 {
		return errors.New("the id of a bowl is a number from 1 to 4294967295, its own in the whole federation: --id N")
	}
	if err := c.Names.Check(); err != nil {
		return err
	}
	_, err := subject.New(c.Federation)
	return err
}
