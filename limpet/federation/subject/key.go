package subject

import (
	"strings"

	"kbus.example/kbus/message"
)

// Keys of the directory are names without their root. A key has no wildcards, so the last word of a binding that is one
// is spelt out: `%` is =P and `*` is =S. No name has a word with `=` in it.

const (
	claimPrefix  = "dir."
	memberPrefix = "bowl."
	leasePrefix  = "lease."
	inletPrefix  = "inlet."
)

// Claim is the key of the claim on a binding's name.
func Claim(name string) string {
	name = name[len("$."):]
	switch message.ClassOf(name) {
	case message.Percent:
		return claimPrefix + name[:len(name)-1] + "=P"
	case message.Star:
		return claimPrefix + name[:len(name)-1] + "=S"
	}
	return claimPrefix + name
}

// Claimed is the name that such a key claims; false if it is no such key.
func Claimed(key string) (name string, ok bool) {
	word, ok := strings.CutPrefix(key, claimPrefix)
	if !ok {
		return "", false
	}
	if head, percent := strings.CutSuffix(word, "=P"); percent {
		word = head + "%"
	} else if head, star := strings.CutSuffix(word, "=S"); star {
		word = head + "*"
	}
	name = "$." + word
	return name, message.CheckBinding(name) == message.OK
}

// Member is the key of a member.
func Member(member uint32) string { return memberPrefix + id(member) }

// Lease is the key of a member's lease.
func Lease(member uint32) string { return leasePrefix + id(member) }

// Inlet is the key of the lease of an ordered member. A machine may have one of either kind with one id.
func Inlet(member uint32) string { return inletPrefix + id(member) }

// IsMember reports whether a key is that of a member.
func IsMember(key string) bool { return strings.HasPrefix(key, memberPrefix) }
