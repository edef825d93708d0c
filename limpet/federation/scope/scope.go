// Package scope is which names the members of a federation share: those that a list of bindings covers, `$.*` if nothing
// else is configured. What is under $.KBUS is each bus's own and never shared: its events, its Statuses, and what its Limpet
// reports.
package scope

import (
	"fmt"
	"slices"
	"strings"

	"kbus.example/kbus/message"
)

// Scope is the bindings that are shared.
type Scope []string

const ownPrefix = "$.KBUS."

// Check returns what is wrong with it.
func (s Scope) Check() error {
	for _, name := range s {
		if c := message.CheckBinding(name); c != message.OK {
			return fmt.Errorf("cannot share %q: %w", name, c)
		}
		if strings.HasPrefix(name, ownPrefix) {
			return fmt.Errorf("cannot share %q: what is under $.KBUS is each bus's own", name)
		}
	}
	return nil
}

// Covers reports whether all that a name matches is shared. The name may be a binding.
func (s Scope) Covers(name string) bool {
	if strings.HasPrefix(name, ownPrefix) {
		return false
	}
	return slices.ContainsFunc(s, func(shared string) bool { return message.Covers(shared, name) })
}

// Everything reports whether all names are shared.
func (s Scope) Everything() bool { return slices.Contains(s, "$.*") }
