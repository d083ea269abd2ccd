-- Releases the lock. ARGV[2]: its fence.
release(ARGV[2])
return 1
