# Which files of the two libraries get into the image, and how their verified
# source comes to build/.  The digests are in config/NAME.sha256.

BEARSSL := build/deps/bearssl
LWIP := build/lwip

BEARSSL_STAMP := $(BEARSSL)/.verified
LWIP_STAMP := $(LWIP)/.patched

# SHA-256 for the image hash.
BEARSSL_HASH_SRCS := $(addprefix $(BEARSSL)/src/, \
	hash/sha2small.c codec/dec32be.c codec/enc32be.c)

# Ring 0: the random generator (SHA-256, ChaCha20) and signatures: ECDSA on P-256 and
# P-384 after RFC 6979, the two operations of RSA.  The ECDSA code names P-521, too.
KERNEL_BEARSSL_SRCS := $(BEARSSL_HASH_SRCS) $(addprefix $(BEARSSL)/src/, \
	symcipher/chacha20_ct.c hash/sha2big.c hash/dig_size.c hash/mgf1.c \
	mac/hmac.c rand/hmac_drbg.c codec/ccopy.c codec/dec64be.c codec/enc64be.c \
	ec/ecdsa_i31_sign_raw.c ec/ecdsa_i31_bits.c ec/ec_p256_m31.c \
	ec/ec_prime_i31.c ec/ec_secp256r1.c ec/ec_secp384r1.c ec/ec_secp521r1.c \
	rsa/rsa_i62_priv.c rsa/rsa_i62_pub.c int/i62_modpow2.c int/i32_div32.c \
	$(addprefix int/i31_, add.c bitlen.c decmod.c decode.c decred.c encode.c fmont.c \
		iszero.c modpow.c montmul.c mulacc.c muladd.c ninv31.c reduce.c \
		rshift.c sub.c tmont.c))

# Ring 3: the TLS 1.2 server without X.509, CBC, static RSA or DES.  Its handshake,
# ssl_hs_server.c, is compiled within tls/server_bearssl.c.
SERVER_BEARSSL_SRCS := $(BEARSSL_HASH_SRCS) $(addprefix $(BEARSSL)/src/, \
	$(addprefix ssl/, prf.c prf_sha256.c prf_sha384.c ssl_engine.c ssl_hashes.c \
		ssl_rec_chapol.c ssl_rec_gcm.c ssl_server.c) \
	$(addprefix hash/, ghash_ctmul64.c ghash_pclmul.c multihash.c sha2big.c) \
	$(addprefix symcipher/, aes_ct64.c aes_ct64_ctr.c aes_ct64_enc.c \
		aes_x86ni.c aes_x86ni_ctr.c chacha20_sse2.c poly1305_ctmulq.c) \
	$(addprefix ec/, ec_c25519_m31.c ec_curve25519.c ec_p256_m31.c \
		ec_prime_i31.c ec_secp256r1.c ec_secp384r1.c ec_secp521r1.c \
		ecdsa_rta.c) \
	$(addprefix int/, i31_add.c i31_bitlen.c i31_decmod.c i31_decode.c \
		i31_encode.c i31_fmont.c i31_iszero.c i31_modpow.c i31_montmul.c \
		i31_muladd.c i31_ninv31.c i31_rshift.c i31_sub.c i31_tmont.c \
		i32_div32.c) \
	$(addprefix codec/, ccopy.c dec32le.c dec64be.c enc32le.c enc64be.c) \
	mac/hmac.c rand/hmac_drbg.c)

# TCP, UDP (for DHCP), ICMP, IPv4 and IPv6 on Ethernet; no sockets, no threads, no
# DNS, no applications.  Memory and timers are net/pools.c and net/timers.c.
LWIP_SRCS := $(addprefix $(LWIP)/src/, \
	$(addprefix core/, def.c inet_chksum.c init.c ip.c netif.c pbuf.c stats.c tcp.c \
		tcp_in.c tcp_out.c udp.c) \
	$(addprefix core/ipv4/, acd.c dhcp.c etharp.c icmp.c ip4.c ip4_addr.c) \
	$(addprefix core/ipv6/, ethip6.c icmp6.c ip6.c ip6_addr.c mld6.c nd6.c) \
	netif/ethernet.c)
LWIP_PATCHES := $(sort $(wildcard config/lwip-*.patch))

$(BEARSSL_STAMP): config/bearssl.sha256 | packages-build
	@config/fetch.sh bearssl bearssl bookworm $(if $(BEARSSL_SRC),"$$BEARSSL_SRC")

build/deps/lwip/.verified: config/lwip.sha256 | packages-build
	@config/fetch.sh lwip lwip trixie $(if $(LWIP_SRC),"$$LWIP_SRC")

# lwIP with our patches, each of which says on top why it is there.
$(LWIP_STAMP): build/deps/lwip/.verified $(LWIP_PATCHES)
	@rm -rf $(LWIP).new
	@cp -pR build/deps/lwip $(LWIP).new
	@chmod -R u+w $(LWIP).new
	@for p in $(LWIP_PATCHES); do \
		echo "  PATCH   $$p"; \
		patch -s -f -p1 -d $(LWIP).new <$$p || exit 1; \
	done
	@touch $(LWIP).new/.patched
	@rm -rf $(LWIP) && mv $(LWIP).new $(LWIP)

# Whoever needs one of their files needs all of them.  They stay when make is done: to
# make, what only a pattern names is a step on the way, and would be deleted.
.PRECIOUS: $(BEARSSL)/src/%.c
$(BEARSSL)/src/%.c: $(BEARSSL_STAMP) ;
$(LWIP_SRCS): $(LWIP_STAMP) ;
