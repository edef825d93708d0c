// Package subject translates names of KBUS into those of NATS: subjects for messages, and keys for the directory.
//
//	kb.<federation>.a.<member>.A.B     announcements for Listeners of $.A.B, from that member
//	kb.<federation>.to.<member>.<member> what one member (the second) sends to another
//	kb.<federation>.o.<member>         what is to be ordered, from that member
//	kb.<federation>.n.<member>         how many messages that member has announced, when it falls silent
//
// Every subject that a member publishes to has its own id in it, in a fixed place. That is what lets the permissions of
// NATS hold a member to its own id. The `$` of a name stays away, because that root is the server's own; the wildcards
// `%` and `*` are `*` and `>` in NATS, and to copy `*` would be a bug that nobody sees.
package subject

import (
	"fmt"
	"strconv"
	"strings"

	"kbus.example/kbus/message"
)

// Space is the subjects of one federation.
type Space struct{ prefix string }

const maxFederationBytes = 32

// New checks the name of a federation, which becomes a word in subjects and in names of streams.
func New(federation string) (Space, error) {
	if federation == "" || len(federation) > maxFederationBytes {
		return Space{}, fmt.Errorf("the name of a federation has 1 to %d characters, and %q has %d",
			maxFederationBytes, federation, len(federation))
	}
	for _, c := range federation {
		if c > 'z' || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_-", c|0x20) && c != '_' {
			return Space{}, fmt.Errorf("the name of a federation is made of letters, digits, _ and -, and %q is not",
				federation)
		}
	}
	return Space{"kb." + federation + "."}, nil
}

// Announce is where a member publishes announcements. The name is that of a message or of a binding: then it is
// what one member may announce that matches.
func (s Space) Announce(member uint32, name string) string {
	return s.prefix + "a." + id(member) + "." + pattern(name)
}

// AllAnnouncements is what to subscribe to for what all members announce that the binding matches.
func (s Space) AllAnnouncements(binding string) string { return s.prefix + "a.*." + pattern(binding) }

// To is where one member publishes for another.
func (s Space) To(to, from uint32) string { return s.prefix + "to." + id(to) + "." + id(from) }

// Inbox is what a member subscribes to for what others publish for it.
func (s Space) Inbox(member uint32) string { return s.prefix + "to." + id(member) + ".*" }

// Count is where a member publishes how much it has announced.
func (s Space) Count(member uint32) string { return s.prefix + "n." + id(member) }

// AllCounts is what to subscribe to for the counts of all members.
func (s Space) AllCounts() string { return s.prefix + "n.*" }

// Order is what comes before the id of a member where it puts messages into the order of all.
func (s Space) Order() string { return s.prefix + "o." }

// Changes is where a stream publishes again what it has stored.
func (s Space) Changes(stream string) string { return s.prefix + "s." + stream + ".>" }

// Sender is the member that a subject of this federation belongs to, 0 if it is none of them.
func (s Space) Sender(subject string) uint32 {
	rest, ours := strings.CutPrefix(subject, s.prefix)
	if !ours {
		return 0
	}
	kind, rest, _ := strings.Cut(rest, ".")
	if kind == "to" {
		_, rest, _ = strings.Cut(rest, ".")
	}
	word, _, _ := strings.Cut(rest, ".")
	n, err := strconv.ParseUint(word, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

func id(member uint32) string { return strconv.FormatUint(uint64(member), 10) }

// pattern is a name without its root, with the wildcards of NATS.
func pattern(name string) string {
	name = name[len("$."):]
	switch message.ClassOf(name) {
	case message.Percent:
		return name[:len(name)-1] + "*"
	case message.Star:
		return name[:len(name)-1] + ">"
	}
	return name
}
