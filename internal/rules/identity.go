package rules

import (
	"fmt"
	"slices"
	"strings"
)

// Identity is who asks, as the kernel says. What could not be found out counts against who asks: a rule that allows does not
// match, and one that denies does. So a program that hides what it is gains nothing.
type Identity struct {
	UID     uint32
	Groups  []uint32 // all of them, the first is the group of the process
	Program string   // path; "" when it could not be found out
	Cgroup  string   // path of the control group; "" when it could not be found out
}

// match is whether a condition holds.
type match uint8

const (
	no match = iota
	unknown
	yes
)

func isIn[T comparable](list []T, v T) match {
	if len(list) == 0 || slices.Contains(list, v) {
		return yes
	}
	return no
}

// concerns reports whether a rule is about an identity.
func (r *Rule) concerns(who *Identity) bool {
	m := min(isIn(r.Users, who.UID), r.group(who), r.program(who), r.unit(who))
	return m == yes || m == unknown && !r.Allow
}

func (r *Rule) group(who *Identity) match {
	if len(r.Groups) == 0 || slices.ContainsFunc(who.Groups, func(g uint32) bool { return slices.Contains(r.Groups, g) }) {
		return yes
	}
	return no
}

func (r *Rule) program(who *Identity) match {
	if who.Program == "" && len(r.Programs) > 0 {
		return unknown
	}
	return isIn(r.Programs, who.Program)
}

func (r *Rule) unit(who *Identity) match {
	switch {
	case len(r.Units) == 0:
		return yes
	case who.Cgroup == "":
		return unknown
	}
	unit := UnitOf(who.Cgroup)
	for _, u := range r.Units {
		if !strings.HasPrefix(u, "/") && u == unit || strings.HasPrefix(u, "/") && within(who.Cgroup, u) {
			return yes
		}
	}
	return no
}

// within reports whether a control group is another, or lies below it.
func within(group, above string) bool {
	above = strings.TrimSuffix(above, "/")
	return group == above || strings.HasPrefix(group, above+"/")
}

// UnitOf is the system unit that a control group belongs to: the first part of its path that is no slice. What lies below
// may belong to a user, who calls it as he likes.
func UnitOf(cgroup string) string {
	for part := range strings.SplitSeq(strings.Trim(cgroup, "/"), "/") {
		if !strings.HasSuffix(part, ".slice") {
			return part
		}
	}
	return ""
}

// String is for people.
func (who *Identity) String() string {
	text := fmt.Sprintf("user %d", who.UID)
	if len(who.Groups) > 0 {
		text += ", groups " + strings.Join(texts(who.Groups), " ")
	}
	for _, f := range [...]struct{ key, value string }{{"program", who.Program}, {"control group", who.Cgroup}} {
		if f.value == "" {
			f.value = "not known"
		}
		text += ", " + f.key + " " + f.value
	}
	return text
}
