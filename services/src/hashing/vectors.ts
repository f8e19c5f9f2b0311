import type { Digest } from '../jobs/job.ts';

/** Messages and digests published by NIST: "SHA512" in "Examples with Intermediate Values", after FIPS 180-4; and the empty message. */
export const NIST: readonly { readonly message: string; readonly digest: Digest }[] = [
  {
    message: 'abc',
    digest:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  },
  {
    message: '',
    digest:
      'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
  },
  {
    message:
      'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
    digest:
      '8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909',
  },
];

/** Where a chain stands after so many iterations from its start. */
export interface ChainVector {
  readonly name: string;
  readonly start: Digest;
  readonly after: readonly (readonly [iterations: number, digest: Digest])[];
}

/**
 * Chains of our own: NIST's samples never hash a digest. Computed with Python 3.11 (hashlib, OpenSSL), from each start:
 *
 *     d = bytes.fromhex(start)
 *     for i in range(n): d = hashlib.sha512(d).digest()
 *     d.hex()
 */
export const CHAINS: readonly ChainVector[] = [
  {
    name: 'sha512(abc)',
    start:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    after: [
      [
        1,
        '373a9f3a902cf561003b513c94c5164ba4af135cbc4eb4d856b89ea5609523f130bbe5e453e6c645b2765a265aaeb1390c82c913130870636cd0c8ecf980d851',
      ],
      [
        2,
        'f3ea3dce496e48ccb10e68c1ce4e9d9eb77601054e1bb70469fcf61c58c6d28fd53b34c84b21b4ea6431d5bffbe57d360f6f119db1abf4aa35f85378c3b691ee',
      ],
      [
        3,
        '3b360d3e5e0e0d0e4136f0304c5a966acbe4aa543b9e140f0b6df7c95455c4fdfa1ca876b30d9ef7720da00cd063223f7f0dfd05003bfb3ad0751684d824fab0',
      ],
      [
        1_000,
        '15af50c596c7055e8fd4872b392cb6359858151849eb0626ac400466bed1819289a2639487954c0bb09d410a9f70b16d284eb0f35724bcdbb31ac99a91bab6c1',
      ],
      [
        1_000_000,
        '2d4644cccf97261b54b5673eb2341bf6ddebec384529d4c7bc962c5571be034ac0872ca8ccda94633a4eda22d6e8a992088301f73b7e48d5cb6b600e01c08f25',
      ],
    ],
  },
  {
    name: 'sha512 of nothing',
    start:
      'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
    after: [
      [
        1,
        '826df068457df5dd195b437ab7e7739ff75d2672183f02bb8e1089fabcf97bd9dc80110cf42dbc7cff41c78ecb68d8ba78abe6b5178dea3984df8c55541bf949',
      ],
      [
        2,
        'adc7c6aa522a5be3c89fdc832f05c778309033991a711d7eb02e580de9c5f131de32369dc396fe251299ab9ec6fc21f376907d87d52b130b8f8c3b0e25423802',
      ],
      [
        3,
        'c9e36370a03f31ba7f9d3bac635e9bc1d3ffe4f6ded980d4a201b7db6a4eb46ff1e715c2413a52ab183eac5f73834e91714d637df1a1ef47ed3156fef61ad8c9',
      ],
      [
        1_000,
        'a9f5b39b0913ae6da4886fa0219d33a2b5270d7e588615814633bfd310fc31da2c60540954c6132d7be4d99a03d7ae4e45dbf3e4c922c2e891e3e1f471d77c5b',
      ],
    ],
  },
  {
    name: 'sha512 of two blocks',
    start:
      '8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909',
    after: [
      [
        1,
        'bd1c80efb36e2caacbe33f9a3fb20ce856c56c3f2d0452602d68b49be0a983c3226b58870ae723f3b2cfbd7e7705b0ad7e205e8cba87c10c8ccc9a0fc730f5c4',
      ],
      [
        2,
        '00d4c8bb136872be780c127a6d1a3b0ad05f22c8cafdc2c027fcbf496e0b3a820827d8556a06ade3c4a99bb70c1cf03ff727e887947afaf7c6dc34445b509b51',
      ],
      [
        3,
        'c9d26cc915e1558668495484aa1126f38d0baf72fa37eec82e7e9561995ddbf2de26f4ade479dd724a5950f072dcc6499f2d2a4e83db8e13a8df93819af82af8',
      ],
      [
        1_000,
        '83068b296dcaeec29b90a04a9efc25a4863512375cb1f60e0f1d7a11648367766affe4a1333d553f8357822bde5384dc29943369b9ca84570a0064ff63fc4ad8',
      ],
    ],
  },
  {
    name: 'all zeros',
    start:
      '00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',
    after: [
      [
        1,
        '7be9fda48f4179e611c698a73cff09faf72869431efee6eaad14de0cb44bbf66503f752b7a8eb17083355f3ce6eb7d2806f236b25af96a24e22b887405c20081',
      ],
      [
        2,
        'f574a77464017311b6a0dd7093c23ea654ff6c781cdaee34333a2701fa5109caf7540ddea7b1e07854f26c849882cca91a07037c4a91fc37eea78496bd20b0d2',
      ],
      [
        3,
        '888e74eff29a2b49a766b80ad225cd4ca65625c05e9145a59db3a10e7b7f658542e4deaba6f842930eaa3c45f49b7aef96740d3e75addadc451275e0155e98c6',
      ],
      [
        1_000,
        'f8fa8d1466708b1ed2a85b83cf1f19e0d39e42ac820afb3c1afb0c3c6bc0cf80c27efe07b47967aef01d16243c4712e9536f93ccddd26815c79146ef2dc9b465',
      ],
    ],
  },
  {
    name: 'all ones',
    start:
      'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    after: [
      [
        1,
        'c835487ff6669f49f62757e572e7d3f9561fb6e111566ea086efa37923745966d6e7ed2220adf68321f89f818fcc8947fa87138896b3ac63b0504b3cdbd4f1e6',
      ],
      [
        2,
        'b5fedc0320375f1158f78bafece55d7c6933fe45628af8efb58354ec586071b3fb9a2e606f1b39238004c342a96fb1131da208b896eed6b0b37cfd17a49509fe',
      ],
      [
        3,
        'bd97c9d017b98abf3e420ba407201a6ffcafad7c40c28b27bae3564945dac2ff7224fa953afa88b43dae0ce6e6d1853b8f3374a7dae5190f5863b499ebebe68a',
      ],
      [
        1_000,
        '3dcd919e54fd164ef3557ccab38b4abff0d77a0efe4a7de7ef044e8ce98a4a07417dda9797fa4b1ae238e25f320d18878bf3c826a8d66512887612b618d245df',
      ],
    ],
  },
  {
    name: 'what padding looks like',
    start:
      '80000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',
    after: [
      [
        1,
        '5655abfc8d7999f5a95b943442b6fb92c95187fbdfc245ce31c18a53e9b51a5b05b6b6c21686081ac6f8f2c308b9e9321a32b94c89f73e6ffba35201b02fb986',
      ],
      [
        2,
        'ed3f8b07e9cebc646d96dd76803d196d6e39b2f1c32297e81438a41cda3e5bd109f0f3473bc13d0210300b5b26ff3a1c4cf869adfd86aa367d3f47408f7b3e30',
      ],
      [
        3,
        '62944651d44481f75377b7156a2e9c796c8bae5c91c5e6997f4aec5f33c1e3fb70cbba64098b0ee7b995db4fbc7b83cc28479b9590530d76d18848480caa8782',
      ],
      [
        1_000,
        'e10607ff1425516f70e03c1f0566cca63a9fdc6b2ee58e585d1d29d9bef777a997031060d39f610a79d26d035dc1e3ab7976df365f82de5936485bb4622dfc21',
      ],
    ],
  },
];
