package mirror

import (
	"slices"

	"kbus.example/kbus/limpet/federation/directory"
)

// What the copy says. Each call takes the lock once, so the answers of two calls may
// belong to different moments.

// Claim is the claim on exactly that binding.
func (m *Mirror) Claim(name string) (directory.Claim, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.table.Claim(name)
}

// Lookup finds the claim that a Request of that name goes to.
func (m *Mirror) Lookup(name string) (directory.Claim, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.table.Lookup(name)
}

// Members are all other members that were ever there.
func (m *Mirror) Members() []directory.Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(m.table.Members())
}

// Population is how many other members are alive.
func (m *Mirror) Population() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.table.Population()
}

// Successors are the next n members that are alive, by number and around, and the dead ones in between.
func (m *Mirror) Successors(n int) []directory.Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.table.Successors(m.id, n)
}

// Member is what the directory says of a member, our own too; zero if it says nothing.
func (m *Mirror) Member(id uint32) directory.Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id == m.id {
		return m.own
	}
	found, _ := m.table.Member(id)
	return found
}

// Alive reports whether a network is another member whose epoch has not ended.
func (m *Mirror) Alive(network uint32) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.table.Alive(network)
}

// ClaimsOf are the claims of one member, by name.
func (m *Mirror) ClaimsOf(member uint32) map[string]directory.Claim {
	of := map[string]directory.Claim{}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, c := range m.table.Claims() {
		if c.Member == member {
			of[name] = c
		}
	}
	return of
}

// ClaimCounts are how many claims each member has.
func (m *Mirror) ClaimCounts() map[uint32]int {
	counts := map[uint32]int{}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.table.Claims() {
		counts[c.Member]++
	}
	return counts
}
