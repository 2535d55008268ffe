// What Swift cannot see of OpenSSL 3: macros and typed stacks, as static inline functions.
#ifndef BELAY_COPENSSL_SHIM_H
#define BELAY_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

static inline void belay_ctx_release_buffers(SSL_CTX *ctx) {
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}
static inline int belay_ctx_tls13_only(SSL_CTX *ctx) {
    return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION)
           && SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION);
}
static inline void belay_ctx_client_sessions(SSL_CTX *ctx) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}
static inline int belay_set_server_name(SSL *ssl, const char *name) {
    return SSL_set_tlsext_host_name(ssl, name);
}
// The certificates that the other side sent, its own first; borrowed from the connection.
static inline int belay_sent_count(SSL *ssl) {
    STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);
    return sent ? sk_X509_num(sent) : 0;
}
static inline X509 *belay_sent_certificate(SSL *ssl, int index) {
    return sk_X509_value(SSL_get_peer_cert_chain(ssl), index);
}
// X509_V_OK, or why `certificate` is not to be trusted by the certificates of the file or folder.
static inline int belay_verify_file(X509 **chain, int count, const char *authorities, int isFolder) {
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int result = X509_V_ERR_OUT_OF_MEM;
    for (int i = 1; i < count; i++) sk_X509_push(others, chain[i]);
    if (store && others && context
        && (isFolder ? X509_STORE_load_path(store, authorities)
                     : X509_STORE_load_file(store, authorities)) == 1
        && X509_STORE_CTX_init(context, store, chain[0], others) == 1) {
        X509_verify_cert(context);
        result = X509_STORE_CTX_get_error(context);
    }
    X509_STORE_CTX_free(context);
    sk_X509_free(others);
    X509_STORE_free(store);
    return result;
}
static inline X509 *belay_peer_certificate(SSL *ssl) { return SSL_get1_peer_certificate(ssl); }

// The URI names of a certificate, one a line; returns how many, or -1 if they do not fit.
static inline int belay_uri_names(X509 *certificate, char *out, size_t capacity) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t used = 0;
    int found = 0;
    if (capacity == 0) return -1;
    out[0] = 0;
    if (!names) return 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI) continue;
        const unsigned char *text = ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
        int length = ASN1_STRING_length(name->d.uniformResourceIdentifier);
        if (length < 0 || used + (size_t)length + 2 > capacity
            || memchr(text, 0, (size_t)length) || memchr(text, '\n', (size_t)length)) {
            GENERAL_NAMES_free(names);
            return -1;
        }
        memcpy(out + used, text, (size_t)length);
        used += (size_t)length;
        out[used++] = '\n';
        out[used] = 0;
        found++;
    }
    GENERAL_NAMES_free(names);
    return found;
}

// Adds the URI name to a certificate request; 1 on success.
static inline int belay_request_add_uri(X509_REQ *request, const char *uri) {
    char value[512];
    if (snprintf(value, sizeof value, "URI:%s", uri) >= (int)sizeof value) return 0;
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, value);
    if (!extension) return 0;
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    int done = extensions && sk_X509_EXTENSION_push(extensions, extension) > 0
               && X509_REQ_add_extensions(request, extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return done;
}

static inline EVP_PKEY *belay_new_p256_key(void) { return EVP_EC_gen("P-256"); }

// True if the leaf of the connection's chain verifies against `anchor` alone, as a server.
static inline int belay_verify_against(SSL *ssl, X509 *anchor) {
    X509 *leaf = SSL_get1_peer_certificate(ssl);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    int good = 0;
    if (leaf && store && check && X509_STORE_add_cert(store, anchor)
        && X509_STORE_CTX_init(check, store, leaf, SSL_get_peer_cert_chain(ssl))) {
        X509_STORE_CTX_set_purpose(check, X509_PURPOSE_SSL_SERVER);
        good = X509_verify_cert(check) == 1;
    }
    X509_STORE_CTX_free(check);
    X509_STORE_free(store);
    X509_free(leaf);
    return good;
}
static inline int belay_chain_count(SSL *ssl) {
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    return chain ? sk_X509_num(chain) : 0;
}
static inline X509 *belay_chain_at(SSL *ssl, int index) {
    return sk_X509_value(SSL_get_peer_cert_chain(ssl), index);
}
static inline long belay_bio_pending(BIO *bio) { return (long)BIO_ctrl_pending(bio); }
static inline long belay_bio_memory(BIO *bio, char **out) { return BIO_get_mem_data(bio, out); }

#endif
