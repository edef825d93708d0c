package federation

// fitMessages has the bus refuse what NATS would not carry. So who sends it is told at once, EMSGSIZE, and nothing gets
// as far as the bridge to fall off there. A message in an envelope is at most 12 bytes longer than in its entire form.
func (s *session) fitMessages() error {
	const longer, least = 12, 100
	carried := s.nc.MaxPayload() - longer
	if carried < least {
		return refuse("the NATS server carries messages of %d bytes at most (max_payload), which is too few",
			s.nc.MaxPayload())
	}
	now, err := s.ksock.MaxMessageSize()
	if err != nil || int64(now) <= carried {
		return err
	}
	s.Log.Info("the bus's maximum message size is lowered to what the NATS server carries", "from", now, "to", carried)
	_, err = s.ksock.SetMaxMessageSize(uint32(carried))
	return err
}
