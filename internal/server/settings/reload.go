package settings

import "fmt"

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
