// A C++ wrapper as one was written for the original library: classes over descriptors and messages, and a program that
// uses them. It includes the one header and what C++ brings.
#include <kbus/kbus.h>

#include <string>
#include <vector>

class Message {
public:
	Message() : mMsg(NULL) {}
	Message(const std::string &name, const std::vector<uint8_t> &data, uint32_t flags) : mMsg(NULL)
	{
		const uint8_t *bytes = data.empty() ? NULL : &data[0];
		int rv = kbus_msg_create_entire(&mMsg, name.c_str(), name.size(), bytes, data.size(), flags);
		assert(rv == 0);
		(void)rv;
	}
	~Message() { kbus_msg_delete(&mMsg); }

	std::string Name() const { return std::string(kbus_msg_name_ptr(mMsg), mMsg->name_len); }
	std::vector<uint8_t> Data() const
	{
		const uint8_t *p = static_cast<const uint8_t *>(kbus_msg_data_ptr(mMsg));
		return std::vector<uint8_t>(p, p + mMsg->data_len);
	}
	bool IsRequest() const { return kbus_msg_is_request(mMsg); }
	bool IsReply() const { return kbus_msg_is_reply(mMsg); }
	bool Empty() const { return mMsg == NULL; }
	int BecomesReplyTo(const Message &other) { return kbus_msg_create_entire_reply_to(&mMsg, other.mMsg, "ok", 2, 0); }
	void Print() const { kbus_msg_print(stdout, mMsg); putchar('\n'); }

	kbus_message_t *mMsg;

private:
	Message(const Message &);
	Message &operator=(const Message &);
};

class Ksock {
public:
	explicit Ksock(unsigned bus) : mBus(bus), mFd(-1) {}
	~Ksock() { Close(); }
	int Open(int mode)
	{
		mFd = kbus_ksock_open(mBus, mode);
		return mFd < 0 ? mFd : 0;
	}
	int Close()
	{
		int rv = mFd < 0 ? 0 : kbus_ksock_close(mFd);
		mFd = -1;
		return rv;
	}
	int Bind(const std::string &name, bool replier) { return kbus_ksock_bind(mFd, name.c_str(), replier); }
	int Send(const Message &m, kbus_msg_id_t *id) { return kbus_ksock_send_msg(mFd, m.mMsg, id); }
	int Receive(Message &m)
	{
		int rv = kbus_ksock_read_next_msg(mFd, &m.mMsg);
		return rv < 0 ? rv : m.mMsg != NULL;
	}
	int Wait() { return kbus_wait_for_message(mFd, KBUS_KSOCK_READABLE); }

private:
	unsigned mBus;
	kbus_ksock_t mFd;
};

#define MUST(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%d: %s: errno %d\n", __LINE__, #what, errno); \
			return EXIT_FAILURE; \
		} \
	} while (0)

int main()
{
	Ksock unopened(0), replier(0), sender(0);
	kbus_msg_id_t id = {0, 0};
	const std::string text("three words");

	MUST(unopened.Bind("$.Early", false) == -EBADF);
	MUST(replier.Open(O_RDWR) == 0 && sender.Open(O_RDWR) == 0);
	MUST(replier.Bind("$.Wrapped", true) == 0);
	MUST(replier.Bind("not a name", true) == -EBADMSG);

	Message request("$.Wrapped", std::vector<uint8_t>(text.begin(), text.end()), KBUS_BIT_WANT_A_REPLY);
	MUST(sender.Send(request, &id) == 0 && id.serial_num != 0);
	MUST(replier.Wait() == KBUS_KSOCK_READABLE);
	Message got, reply, answer;
	MUST(replier.Receive(got) == 1 && got.IsRequest() && got.Name() == "$.Wrapped");
	MUST(std::string(reinterpret_cast<const char *>(&got.Data()[0]), got.Data().size()) == text);
	MUST(reply.BecomesReplyTo(got) == 0 && replier.Send(reply, &id) == 0);
	MUST(sender.Wait() == KBUS_KSOCK_READABLE && sender.Receive(answer) == 1 && answer.IsReply());
	answer.Print();
	return replier.Close() == 0 && sender.Close() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
