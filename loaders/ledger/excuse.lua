-- ARGV: batch, ... It wasn't their fault that they were not committed: their tries don't count.
redis.call('HDEL', run .. ':tries', unpack(ARGV))
return {'ok'}
