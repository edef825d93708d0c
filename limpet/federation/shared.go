package federation

import (
	"fmt"
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
	for _, s := range shared {
		if covers(s, name) {
			return true
		}
	}
	return false
}

// covers tells whether a binding matches all that another one matches.
func covers(binding, other string) bool {
	if binding == other {
		return true
	}
	prefix := binding[:len(binding)-1]
	switch message.ClassOf(binding) {
	case message.Star:
		return len(other) > len(prefix) && strings.HasPrefix(other, prefix)
	case message.Percent:
		return message.ClassOf(other) == message.Exact && message.Matches(binding, other)
	}
	return false
}
