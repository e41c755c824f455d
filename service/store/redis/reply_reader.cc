#include "service/store/redis/reply_reader.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <new>
#include <utility>

namespace viewcount {
namespace {

// Room is made for this many elements at once, however many an array says that it has.
constexpr size_t kElementsReserved = 4'096;

// hiredis itself reads the type and the text of an error to which no command belongs.
struct Root {
  redisReply head = {};
  Reply reply;
};

// Returns the place of a new value: in the array to which it belongs, or in a new root. An array's elements come one
// after the other, and each is complete before the next. So no place moves while it is being filled.
Reply& PlaceOf(const redisReadTask& task, Root*& root) {
  if (task.parent == nullptr) {
    root = new Root();
    return root->reply;
  }
  void* const parent = task.parent->obj;
  const bool is_root = task.parent->parent == nullptr;
  Reply& array = is_root ? static_cast<Root*>(parent)->reply : *static_cast<Reply*>(parent);
  return array.elements.emplace_back();
}

// Lets `fill` set a new value. Returns null if there is no memory, which hiredis reports as an error of the connection.
template <typename Fill>
void* Create(const redisReadTask& task, Fill fill) {
  Root* root = nullptr;
  try {
    Reply& reply = PlaceOf(task, root);
    fill(reply);
    if (root == nullptr) return &reply;
    root->head.type = task.type;
    root->head.str = reply.text.data();
    root->head.len = static_cast<decltype(root->head.len)>(reply.text.size());
    return root;
  } catch (const std::bad_alloc&) {
    delete root;
    return nullptr;
  }
}

void* CreateString(const redisReadTask* task, char* text, size_t size) {
  return Create(*task, [&](Reply& reply) {
    reply.kind = task->type == REDIS_REPLY_ERROR ? Reply::Kind::kError : Reply::Kind::kText;
    reply.text.assign(text, size);
  });
}

// The type of the number depends on the version of hiredis.
template <typename Count>
void* CreateArray(const redisReadTask* task, Count elements) {
  return Create(*task, [&](Reply& reply) {
    reply.kind = Reply::Kind::kArray;
    reply.elements.reserve(std::min(static_cast<size_t>(elements), kElementsReserved));
  });
}

void* CreateInteger(const redisReadTask* task, long long value) {
  return Create(*task, [&](Reply& reply) {
    reply.kind = Reply::Kind::kInteger;
    reply.integer = value;
  });
}

void* CreateNil(const redisReadTask* task) {
  return Create(*task, [](Reply&) {});
}

// hiredis frees roots only.
void Free(void* root) { delete static_cast<Root*>(root); }

redisReplyObjectFunctions MakeFunctions() {
  redisReplyObjectFunctions functions = {};
  functions.createString = &CreateString;
  functions.createArray = &CreateArray;
  functions.createInteger = &CreateInteger;
  functions.createNil = &CreateNil;
  functions.freeObject = &Free;
  return functions;
}

}  // namespace

void BuildReplies(redisReader& reader) {
  static redisReplyObjectFunctions functions = MakeFunctions();
  reader.fn = &functions;
}

Reply TakeReply(void* reply) { return std::move(static_cast<Root*>(reply)->reply); }

}  // namespace viewcount
