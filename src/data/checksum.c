/* SHA-256, by libcrypto. */
#include "files.h"

#include <stdio.h>

#ifdef SP_HAVE_CRYPTO

#include <openssl/evp.h>

sp__sha256 *sp__sha256_new(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL)) return (sp__sha256 *)context;
    EVP_MD_CTX_free(context);
    return NULL;
}

/* A sum that missed some bytes gives no result. */
void sp__sha256_add(sp__sha256 *sum, const void *bytes, size_t n)
{
    if (sum && !EVP_DigestUpdate((EVP_MD_CTX *)sum, bytes, n)) EVP_MD_CTX_reset((EVP_MD_CTX *)sum);
}

void sp__sha256_end(sp__sha256 *sum, char text[SP__SHA256_TEXT])
{
    unsigned char bytes[EVP_MAX_MD_SIZE] = {0};
    unsigned n = 0;
    if (!sum || !EVP_DigestFinal_ex((EVP_MD_CTX *)sum, bytes, &n)) n = 0;
    EVP_MD_CTX_free((EVP_MD_CTX *)sum);
    text[0] = 0;
    for (unsigned i = 0; i < n && 2 * i + 2 < SP__SHA256_TEXT; i++) snprintf(text + (size_t)2 * i, 3, "%02x", bytes[i]);
}

#else

sp__sha256 *sp__sha256_new(void)
{
    return NULL;
}

void sp__sha256_add(sp__sha256 *sum, const void *bytes, size_t n)
{
    (void)sum, (void)bytes, (void)n;
}

void sp__sha256_end(sp__sha256 *sum, char text[SP__SHA256_TEXT])
{
    (void)sum;
    text[0] = 0;
}

#endif
