package federation

import (
	"fmt"
	"slices"
	"strings"

	"kbus/message"
)

// Which names are shared with other bowls is a list of bindings; `$.*` unless told otherwise. What is under $.KBUS is
// each bus's own: its events, its Statuses and what its Limpet tells.

const ownPrefix = "$.KBUS."

func checkShared(name string) error {
	if c := message.CheckBinding(name); c != message.OK {
		return fmt.Errorf("cannot share %q: %w", name, c)
	}
	if strings.HasPrefix(name, ownPrefix) {
		return fmt.Errorf("cannot share %q: what is under $.KBUS is each bus's own", name)
	}
	return nil
}

// shares tells whether all that a name matches is shared. The name may be a binding.
func shares(shared []string, name string) bool {
	if strings.HasPrefix(name, ownPrefix) {
		return false
	}
	return slices.ContainsFunc(shared, func(s string) bool { return message.Covers(s, name) })
}
