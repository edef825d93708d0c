package server

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"kbus.example/kbus/internal/session"
)

// What users may that not everybody may: turn the switches of a whole bus and make buses (the setting `administration`), tap a
// bus (`taps`), and join it to others (`limpets`). A user is judged at the connect, by what the kernel says at that moment,
// groups too. No name is looked up after the start. Access rules, if there are any, can only take away from this.

// The values of Config.Administration; the third is groupPrefix and the name or number of a group.
const (
	AdministrationOfOwner   = "owner"
	AdministrationOfAnybody = "anybody"
	groupPrefix             = "group:"
)

// CheckAdministration says what is wrong with a value of Config.Administration.
func CheckAdministration(text string) error {
	group, isGroup := strings.CutPrefix(text, groupPrefix)
	if text == AdministrationOfOwner || text == AdministrationOfAnybody || isGroup && group != "" {
		return nil
	}
	return fmt.Errorf("must be owner, anybody or group:NAME, not %q", text)
}

// administrators are the users that the setting names.
type administrators struct {
	anybody bool
	group   int // -1: none
}

// administratorsBy reads the value of a setting.
func administratorsBy(setting, who string) (a administrators, err error) {
	a = administrators{anybody: who == AdministrationOfAnybody, group: -1}
	if name, ok := strings.CutPrefix(who, groupPrefix); ok {
		if a.group, err = groupID(name); err != nil {
			return a, fmt.Errorf("%s: %w", setting, err)
		}
	}
	return a, nil
}

// isOwner is for root, and for the user that the server runs as.
func isOwner(uid uint32) bool { return uid == 0 || uid == uint32(os.Geteuid()) }

// permitted is the users that settings name.
type permitted struct {
	admins, tappers administrators
	limpets         Limpets
}

// IsAdministrator is for loop.Host.
func (p *permitted) IsAdministrator(uid, gid uint32, groups func() []uint32) bool {
	return p.admins.has(uid, gid, groups)
}

// has reports whether a user is one of them. groups gives the supplementary groups; it is called only if they matter.
func (a administrators) has(uid, gid uint32, groups func() []uint32) bool {
	switch {
	case a.anybody, isOwner(uid):
		return true
	case a.group < 0:
		return false
	}
	return gid == uint32(a.group) || slices.Contains(groups(), uint32(a.group))
}

// MayTap is for loop.Host.
func (p *permitted) MayTap(uid, gid uint32, groups func() []uint32) bool {
	return p.tappers.has(uid, gid, groups)
}

// MayJoin reports whether that process may join a bus to others.
func (m *permitted) MayJoin(p session.Peer) bool {
	switch m.limpets {
	case LimpetsOfOwner:
		return isOwner(p.UID)
	case LimpetsOfAnyone:
		return true
	}
	return false
}
