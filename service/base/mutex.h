// Mutexes and locks that clang's thread safety analysis understands.
//
// A member that a mutex guards is declared with ABSL_GUARDED_BY(mutex_). A function that requires the lock is declared
// with ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_). Clang, which makes the sanitized builds, then refuses any access
// without the lock. In other compilers the annotations are empty.
#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

namespace viewcount {

template <typename Standard>
class MutexLock;

// A mutex of the standard library with annotations. It costs nothing on top. Use MutexLock or ReaderLock to lock it.
template <typename Standard>
class ABSL_LOCKABLE BasicMutex {
 public:
  BasicMutex() = default;
  BasicMutex(const BasicMutex&) = delete;
  BasicMutex& operator=(const BasicMutex&) = delete;

  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
  // For std::shared_mutex only.
  void lock_shared() ABSL_SHARED_LOCK_FUNCTION() { mutex_.lock_shared(); }
  void unlock_shared() ABSL_UNLOCK_FUNCTION() { mutex_.unlock_shared(); }

  // States that this thread holds the lock, where the analysis cannot know it. Does nothing and checks nothing.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}

 private:
  friend class MutexLock<Standard>;
  Standard mutex_;
};

using Mutex = BasicMutex<std::mutex>;
using RecursiveMutex = BasicMutex<std::recursive_mutex>;
using SharedMutex = BasicMutex<std::shared_mutex>;

// Holds a mutex until its end: `const MutexLock lock(mutex_);`. Used by one thread.
//
// A function that waits has a loop: `while (!done_) lock.Wait(changed_);`. The analysis follows a loop, but not a
// predicate.
template <typename Standard>
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(BasicMutex<Standard>& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : lock_(mutex.mutex_) {}
  ~MutexLock() ABSL_UNLOCK_FUNCTION() = default;
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  // Releases the mutex before the end, and takes it again. The calls must alternate.
  void Unlock() ABSL_UNLOCK_FUNCTION() { lock_.unlock(); }
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { lock_.lock(); }

  // Waits for a notification. The mutex is free meanwhile. The wait may also end without a notification.
  void Wait(std::condition_variable& changed) { changed.wait(lock_); }
  // Does the same, at most until `deadline`. Returns false if the deadline has passed.
  template <typename Clock, typename Duration>
  bool WaitUntil(std::condition_variable& changed, const std::chrono::time_point<Clock, Duration>& deadline) {
    return changed.wait_until(lock_, deadline) == std::cv_status::no_timeout;
  }

 private:
  std::unique_lock<Standard> lock_;
};

// Shares a mutex with other readers until its end: `const ReaderLock lock(mutex_);`. Used by one thread.
class ABSL_SCOPED_LOCKABLE ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mutex) ABSL_SHARED_LOCK_FUNCTION(mutex) : mutex_(mutex) { mutex_.lock_shared(); }
  ~ReaderLock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock_shared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace viewcount
