// Package limpet joins two buses so that they look like one: what is announced on one comes to the other, a Request
// finds its Replier on either, and each still gets exactly one Reply or Status.
//
// A Limpet is an ordinary client of its bus. It listens to what is sent there and passes it on to its pair, the Limpet
// at the other end of a link, and it binds as Replier for every name that has a Replier beyond the link, as a proxy. Any
// number of buses works in the same way, because a proxy is a Replier like any other to the next Limpet. Where there are
// several ways between two buses, the buses themselves let only the first copy of a message through.
//
// Machine is the whole of that as a state machine: what has come from the bus or from the pair goes in, what is to be
// done about it comes out. Session drives one between a Ksock and a Link. Package kbus/limpet/pair makes Links between
// processes, and kbus/limpet/wire is what travels on them.
//
// docs/spec/limpets.md states the rules of a pair, docs/limpets.md what is promised.
package limpet
