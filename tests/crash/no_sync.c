/* The control of the power-cut test: loaded into a node with LD_PRELOAD, it turns every way to make
   data durable into nothing. A rig in which such a node loses nothing tests nothing. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int fsync(int fd) { (void)fd; return 0; }
int fdatasync(int fd) { (void)fd; return 0; }
int syncfs(int fd) { (void)fd; return 0; }
int sync_file_range(int fd, off64_t offset, off64_t bytes, unsigned flags) {
  (void)fd; (void)offset; (void)bytes; (void)flags;
  return 0;
}
int msync(void *address, size_t bytes, int flags) {
  (void)address; (void)bytes; (void)flags;
  return 0;
}
void sync(void) {}
