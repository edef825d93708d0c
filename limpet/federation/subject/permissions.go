package subject

// Permissions are the subjects that a member needs, and may have.
type Permissions struct{ Publish, Subscribe []string }

// PermissionsOf are those of a member, as they stand in dist/nats/kbus.conf. It may publish only what carries its own id:
// what it announces (a), what it sends to one other member (to), its count (n), and, if it is an ordered one, what is to be
// ordered (o). The directory is common to all.
func PermissionsOf(federation string, member uint32) Permissions {
	s := Space{"kb." + federation + "."}
	names, leases, order := "kb_"+federation+"_names", "kb_"+federation+"_leases", "kb_"+federation+"_order"
	create := "$JS.API.STREAM.CREATE."
	return Permissions{
		Publish: []string{
			s.Announce(member, "$.*"), s.prefix + "to.*." + id(member), s.Count(member), s.Order() + id(member),
			"$KV." + names + ".>", "$KV." + leases + ".>", "$JS.API.STREAM.INFO.*", create + "KV_" + names,
			create + "KV_" + leases, create + order, "$JS.API.STREAM.MSG.GET.*", "$JS.API.DIRECT.GET.*",
		},
		Subscribe: []string{
			s.prefix + "a.>", s.Inbox(member), s.AllCounts(), s.prefix + "s.>", Replies(member) + ".>",
		},
	}
}

// Replies is where a member gets the answers of servers.
func Replies(member uint32) string { return "_INBOX.kb" + id(member) }
