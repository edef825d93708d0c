package settings

import (
	"fmt"
	"slices"
)

// A reload reads everything anew, from the defaults up, and then compares. It is taken whole or not at all.

// Change is a setting that a reload changes.
type Change struct{ Key, From, To string }

// Changes lists what is different in next, or says, as Errors, what of it cannot change while the daemon runs.
func (s *Settings) Changes(next *Settings) ([]Change, error) {
	var changes []Change
	var errs Errors
	for _, row := range table {
		from, to := row.show(s), row.show(next)
		switch {
		case from == to:
			continue
		case !row.live:
			errs.add("%s%s cannot change from %s to %s while kbusd runs", next.where(row.key), row.key, from, to)
		case row.key == "buses" && next.Server.Buses < s.Server.Buses:
			errs.add("%sbuses can only grow while kbusd runs, not from %s to %s", next.where(row.key), from, to)
		}
		changes = append(changes, Change{row.key, from, to})
	}
	return changes, errs.orNil()
}

// String is "limits.connections: 10 -> 20".
func (c Change) String() string { return fmt.Sprintf("%s: %s -> %s", c.Key, c.From, c.To) }

// rulesKey stands for what the rules say, beside where they are.
const rulesKey = "rules in force"

// servicesKey is where the services come from, if there are any.
const servicesKey = "services in force"

// Shown gives all settings as one would write them, by key, and a word that stands for the rules: for another daemon to compare
// with its own.
func (s *Settings) Shown() map[string]string {
	shown, digest := map[string]string{}, fnv1a(nil)
	for _, row := range table {
		shown[row.key] = row.show(s)
	}
	if set := s.Server.Rules.Set; set != nil {
		digest = fnv1a(fmt.Appendf(nil, "%+v", set.Rules))
	}
	shown[rulesKey] = fmt.Sprintf("%d, %x", s.RuleCount(), digest)
	if s.ServiceCount() > 0 {
		shown[servicesKey] = s.services
	}
	return shown
}

// fnv1a is the FNV-1a of 64 bits, so short that its package, which the daemon would have to link, is longer.
func fnv1a(text []byte) uint64 {
	digest := uint64(14695981039346656037)
	for _, c := range text {
		digest = (digest ^ uint64(c)) * 1099511628211
	}
	return digest
}

// ofNoBus are the settings that may differ: no bus depends on them, and of two names of a directory the server judges.
var ofNoBus = []string{"dir", "drain", "log.level", "log.format"}

// Fits says, as Errors, which settings are not as those that Shown gave to another daemon. What only one of the two knows
// of is not looked at.
func (s *Settings) Fits(other map[string]string) error {
	var errs Errors
	ours := s.Shown()
	compare := func(key string) {
		if theirs, known := other[key]; known && theirs != ours[key] && !slices.Contains(ofNoBus, key) {
			errs.add("%s%s is %s, and in the daemon that runs %s: have that reload its settings first (SIGHUP)",
				s.where(key), key, ours[key], theirs)
		}
	}
	for _, row := range table {
		compare(row.key)
	}
	compare(rulesKey)
	if dir := other[servicesKey]; dir != "" && s.services == "" {
		errs.add("the daemon that runs has its services from %s, and this one was told of no place: name the same --config, or --services", dir)
	}
	return errs.orNil()
}
